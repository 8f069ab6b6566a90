//! The orders of a small shop: an axum service on detectviz.
//!
//! It is a library too, so that the quickstart can run three of it in one process.
pub mod api;
pub mod config;
pub mod db;
mod matched;

use api::Api;
use config::OrdersConfig;
use db::{Db, DbConfig};
use detectviz_core::{
    health::CheckConfig,
    runtime::{Builder, Kind},
};
use detectviz_discovery::DiscoveryConfig;
use detectviz_http::kinds::{self, App};
use detectviz_secrets::SecretsConfig;
use std::sync::Arc;

/// Everything that the service is made of, with its defaults.
pub fn builder() -> Builder {
    Builder::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .composition(include_str!("../config/composition.yaml"))
        .app_config(include_str!("../config/app_config.yaml"))
        .flag("--port", "http.port", "the port of the service")
        .flag("--admin-port", "admin.port", "the admin port")
        .secrets(SecretsConfig::SCHEMES, |config: SecretsConfig, cx| {
            config.build(cx)
        })
        .discovery(|config: DiscoveryConfig, _| Ok(config.build()))
        .kind(kinds::admin())
        .kind(Kind::new(
            "sqlite",
            "The database of orders.",
            |config: DbConfig, cx| {
                let db = Db::new(&config)?;
                cx.register_check(CheckConfig::default(), Arc::new(db.clone()));
                cx.provide(db.clone());
                Ok(db)
            },
        ))
        .kind(Kind::new(
            "orders",
            "What the service answers.",
            |config: OrdersConfig, cx| {
                let api = Api::new(cx.provided("db")?, cx.secrets(), config.token);
                cx.provide(api.clone());
                Ok(api)
            },
        ))
        .kind(kinds::server(|cx| {
            Ok(App::new(cx.provided::<Api>("orders")?.router()))
        }))
}
