"""Files that leave or enter an installation: backups, and what helps others to help."""
