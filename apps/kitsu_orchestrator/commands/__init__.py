"""Commands typed into a platform's chat.

    line ─► table (is it one, may they) ─► cooldowns ─► handler (does it) ─► replies (says so, through the gate)

Chat can do nothing but what stands in configs/commands.yaml, and only in the roles named there.
"""
