"""The demo library: pictures of people who do not exist, drawn, so that there is something to look at.

``people`` says who exists, ``plan`` what was photographed, ``portrait``, ``hair`` and ``scenes`` how it
looks, ``library`` writes the files. Everything follows from a seed.
"""
