"""Result files of other tools, read into runs of this one."""
