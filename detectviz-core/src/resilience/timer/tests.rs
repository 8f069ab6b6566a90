//! Behaviour of the timer.
