//! One instance of orders as a component: a whole runtime inside another's.
use crate::shop::Shop;
use async_trait::async_trait;
use detectviz_core::{
    config::{Effective, Origin, Section},
    error::BoxError,
    lifecycle::Signals,
    runtime::{BuildContext, Options, Started},
    task::Component,
};
use detectviz_http::kinds::BoundAddr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{io, net::SocketAddr};
use tokio::sync::Mutex;

/// The ports of one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ports {
    /// The port of the service; 0 takes a free one.
    port: u16,
    /// The admin port; 0 takes a free one.
    admin_port: u16,
}

/// One instance of orders.
pub(crate) struct Orders {
    name: String,
    ports: Ports,
    shop: Shop,
    telemetry: Vec<String>,
    running: Mutex<Option<(Started, SocketAddr)>>,
}

impl Section for Ports {}

impl Orders {
    pub(crate) fn new(cx: &BuildContext<'_>, ports: Ports, shop: Shop) -> Self {
        Self {
            name: cx.name().to_owned(),
            ports,
            shop,
            telemetry: telemetry(&cx.shared().config.current()),
            running: Mutex::new(None),
        }
    }
}

/// What the gateway was told about telemetry, as `path=value`: its instances of orders follow it.
fn telemetry(config: &Effective) -> Vec<String> {
    let told = config.iter().filter(|value| {
        value.path.starts_with("telemetry.") && *value.place.origin() != Origin::Default
    });
    told.map(|value| format!("{}={}", value.path, value.value))
        .collect()
}

#[async_trait]
impl Component for Orders {
    async fn start(&self) -> Result<(), BoxError> {
        let builder = orders::builder();
        let Ports { port, admin_port } = self.ports;
        let sources = builder
            .sources()
            .set(&format!("service.instance={}", self.name))
            .set(&format!("http.port={port}"))
            .set(&format!("admin.port={admin_port}"))
            .set(&format!("secrets.file.root={}", self.shop.dir().display()))
            .set("db.url=sqlite:quickstart?mode=memory&cache=shared");
        let telemetry = self.telemetry.iter();
        let sources = telemetry.fold(sources, |sources, told| sources.set(told));
        let runtime = builder
            .plan(&sources)?
            .build(Options::embedded(io::stdout()))?;
        let (_, mut signals) = Signals::manual();
        let started = runtime.start(&mut signals).await?;
        let address = started.provided::<BoundAddr>("http")?.local_addr();
        let address = address.ok_or("the server is not bound")?;
        self.shop.tell(address, true);
        *self.running.lock().await = Some((started, address));
        Ok(())
    }

    async fn drain(&self) -> Result<(), BoxError> {
        let Some((started, address)) = self.running.lock().await.take() else {
            return Ok(());
        };
        self.shop.tell(address, false);
        let (_, mut signals) = Signals::manual();
        let outcome = started.shutdown(&mut signals).await;
        if outcome.is_clean() {
            Ok(())
        } else {
            Err(outcome.into())
        }
    }
}
