"""What each command shows, a module a command: data -> tables, JSON and CSV."""
