"""How sheets and matrices look in a terminal."""
