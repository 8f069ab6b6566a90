//! What lock-free pieces are made of. They name these types and no others, so that `tests/loom` can compile the same files
//! with those of loom, which tries every order of what threads do.
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};
