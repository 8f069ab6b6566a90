//! Behaviour of the circuit breaker.
