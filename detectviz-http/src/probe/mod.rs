//! Probes: /livez, /readyz, /startupz.
