"""VTube Studio: a body that moves by what is heard."""
