//! Several runtimes in one process.
