//! A panic in a handler becomes a 500.
