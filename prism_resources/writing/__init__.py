"""Sentences of a report by a language model.

Belongs here: the prompts, by version; the three passes and the round of repair; the call of Claude; and what each
call cost. Does not belong here: any figure, and whether a sentence may stand (prism_core: reports, facts).
"""
