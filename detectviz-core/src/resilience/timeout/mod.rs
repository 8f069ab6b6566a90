//! Bounds how long one call may take.
