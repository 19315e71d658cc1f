"""What a flow record is, and how the lines of a source become one."""
