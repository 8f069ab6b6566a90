//! HTTP for detectviz.
