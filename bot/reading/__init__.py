"""Plain sentences about deliveries, read into one change or into a question, and never guessed.

Everything here is pure: the sentence, the deliveries that its writer may see and today come in as arguments. Parts are
found first and taken out of the sentence, then days, then quantities; verbs and roles are read from what is left.
"""
