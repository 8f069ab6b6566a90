//! What the suites of this crate share.
