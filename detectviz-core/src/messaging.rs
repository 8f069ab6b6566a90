//! The contracts of messaging follow with the backing services.
