"""Tables and exports of numbers that were computed elsewhere."""
