"""Two texts, and both with what is their own marked: held against both word diffs."""

CASES = [
    ("the same", "the same", "the same", "the same"),
    ("born in 1890.", "born in 1980.", "born in <1890>.", "born in <1980>."),
    ("pays 100 euros", "pays 102.50 euros", "pays <100> euros", "pays <102.50> euros"),
    ("a b", "a, very new, b", "a b", "a<, very new,> b"),
    ("a very old cat", "a quite new cat", "a <very old> cat", "a <quite new> cat"),
    ("", "all", "", "<all>"),
    ("größer als 金融", "kleiner als 金融", "<größer> als 金融", "<kleiner> als 金融"),
]
