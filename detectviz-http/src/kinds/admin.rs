//! `admin`.
use super::{BoundAddr, shared::Shared};
use crate::{
    admin::{AdminBuilder, AdminConfig, Version},
    probe::Probes,
};
use detectviz_core::runtime::Kind;
use std::sync::Arc;

/// The kind `admin`: probes, metrics, configuration, log levels and version on a port and a thread of their own. It starts
/// before all others and stops after them.
#[must_use]
pub fn admin() -> Kind {
    let description = "The admin port, on a thread of its own.";
    let kind = Kind::new("admin", description, |config: AdminConfig, cx| {
        let shared = cx.shared();
        let probes = Probes::new(&config.probes, shared.health.clone());
        let view = shared.config.clone();
        let identity = &shared.identity;
        let admin = AdminBuilder::new(config, probes)
            .with_metrics(shared.telemetry.metrics())
            .with_log_levels(shared.telemetry.logs().levels())
            .with_views(&shared.views)
            .with_config(move || view.current().to_json())
            .with_version(Version::new(
                identity.name.clone(),
                identity.version.clone(),
            ))
            .build(cx.tasks())?;
        let admin = Arc::new(admin);
        let bound = Arc::clone(&admin);
        cx.provide(BoundAddr::new(move || bound.local_addr()));
        Ok(Shared(admin))
    });
    kind.first()
}
