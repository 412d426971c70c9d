"""The public leaderboard of RM-Bench: its rows, what is wrong with some, a run among them."""
