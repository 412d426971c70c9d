"""Contract tests: rmjudge's own requests over sockets to servers that were not written here."""
