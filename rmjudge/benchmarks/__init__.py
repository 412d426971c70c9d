"""Preference sets beside RM-Bench: what an item is, and what a benchmark says of its items.

::

    descriptors  a TOML file -> a Descriptor: where the fields are, how the score is made
    fields       its table of fields: where things stand in a raw item
    values       the values of such a file, each checked
    reading      raw items -> items, by a descriptor's fields
    remarks      what is to be said of a set's items
    sets         sources -> item sets, each assigned to its descriptor; RM-Bench's are left to it
    fetching     a benchmark's published files, downloaded once and verified
"""
