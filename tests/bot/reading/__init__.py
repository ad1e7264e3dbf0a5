"""Sentences about deliveries and how they are to be read, as a table; `sentences.csv` was written before the reader.

`expected` is one of
- `change KEY DAY QUANTITY`: the delivery of that key in `deliveries.csv` gets a day and a quantity, `=` where it keeps
  its own; `cancel KEY`; `split KEY DAY:QUANTITY ...`; `add CONTRACT PART DAY QUANTITY`; `pause CONTRACT PART DAY..DAY`;
- `ask KIND CHOICE ...`: the sentence leaves something open, and the reader is asked with these choices;
- `no` or `no REASON`: it is not one change, and nothing is proposed.
"""
