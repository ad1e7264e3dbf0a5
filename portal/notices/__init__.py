"""Who is told what, where and when: notices from business events, cards, channels, the log of every send and press."""
