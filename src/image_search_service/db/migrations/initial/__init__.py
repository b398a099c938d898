"""The tables of revision 0100, a module for each room of the models. Only later revisions change them."""
