//! Finished spans, and the queue that they wait in.
