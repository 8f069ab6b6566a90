//! What is the password: secret providers for detectviz.
