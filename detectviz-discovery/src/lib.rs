//! Where is X: service discovery for detectviz.
