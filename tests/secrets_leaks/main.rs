//! Secrets leave nothing behind: not in what a service says, and not in its memory.
mod memory;
mod said;
