//! Prints what is worth trying, once the shop is open.
use crate::shop::Shop;
use async_trait::async_trait;
use detectviz_core::{error::BoxError, runtime::BuildContext, task::Component};
use detectviz_http::kinds::BoundAddr;
use std::io::{self, Write};

/// Prints the curl lines worth trying.
pub(crate) struct Hints {
    http: BoundAddr,
    admin: BoundAddr,
    shop: Shop,
}

impl Hints {
    pub(crate) fn new(cx: &mut BuildContext<'_>, shop: Shop) -> Result<Self, BoxError> {
        Ok(Self {
            http: cx.provided("http")?,
            admin: cx.provided("admin")?,
            shop,
        })
    }
}

#[async_trait]
impl Component for Hints {
    async fn start(&self) -> Result<(), BoxError> {
        let (Some(http), Some(admin)) = (self.http.local_addr(), self.admin.local_addr()) else {
            return Err("the gateway is not bound".into());
        };
        let token = self.shop.token_file();
        let token = token.display();
        let text = format!(
            "\nThe shop is open; Ctrl-C closes it. Worth trying:\n\n  \
             curl http://{http}/orders\n  \
             curl -H \"Authorization: Bearer $(cat {token})\" --json '{{\"item\":\"tea\",\"quantity\":2}}' http://{http}/orders\n  \
             curl http://{http}/readyz?verbose\n  \
             curl http://{admin}/metrics\n  \
             curl -H 'Accept: application/openmetrics-text' http://{admin}/metrics\n  \
             curl http://{admin}/config\n  \
             curl -X PUT 'http://{admin}/loglevel?level=debug&ttl=60s'\n\n"
        );
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }
}
