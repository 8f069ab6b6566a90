//! Each piece stands alone: our layers and our server around a tonic service, without a runtime or configuration files.
use detectviz_core::{
    lifecycle::PhaseControl,
    task::Tasks,
    telemetry::{
        context::{TraceContext, current},
        metrics::{Registry, Value},
        span::{Sampler, Spans},
    },
};
use detectviz_http::{
    names,
    route::RouteTable,
    server::{Server, ServerConfig, ServerDeps},
    stack::{Stack, StackConfig, StackDeps},
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_client::TraceServiceClient,
    trace_service_server::{TraceService, TraceServiceServer},
};
use std::net::Ipv4Addr;
use tonic::{Code, Request, Response, Status, transport::Endpoint};

const ROUTE: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Any service that tonic generates; this one refuses, and says in which trace.
struct Refusing;

#[tonic::async_trait]
impl TraceService for Refusing {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let trace = current(|slot| slot.map(|slot| slot.context.trace_id().to_string()));
        Err(Status::failed_precondition(trace.unwrap_or_default()))
    }
}

#[tokio::test]
async fn the_layers_and_the_server_carry_a_tonic_service() {
    let (metrics, spans, tasks) = (
        Registry::new(),
        Spans::new(Sampler::always_on()),
        Tasks::new(),
    );
    let deps = StackDeps::default()
        .with_metrics(metrics.clone())
        .with_spans(spans.clone())
        .with_routes(RouteTable::builder().route(ROUTE).build().expect("a route"));
    let service = Stack::new(&StackConfig::default(), deps)
        .expect("a stack")
        .service(TraceServiceServer::new(Refusing));
    let mut config = ServerConfig::default();
    config.address = Ipv4Addr::LOCALHOST.into();
    config.port = 0;
    let phase = PhaseControl::new();
    let deps = ServerDeps::new(tasks, phase.watch(), metrics.clone());
    let server = Server::new(config, "grpc", deps, service);
    let serving = server.bind().expect("a port").serve().expect("it serves");

    let endpoint = format!("http://{}", serving.local_addr());
    let channel = Endpoint::from_shared(endpoint)
        .expect("an address")
        .connect()
        .await;
    let mut client = TraceServiceClient::new(channel.expect("a connection"));
    let caller = TraceContext::root(true);
    let mut request = Request::new(ExportTraceServiceRequest::default());
    let header = String::from_utf8(caller.to_header().to_vec()).expect("ASCII");
    let header = header.parse().expect("a header");
    request.metadata_mut().insert("traceparent", header);
    let status = client.export(request).await.expect_err("it refuses");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(
        status.message(),
        caller.trace_id().to_string(),
        "the handler ran in the trace"
    );

    let counted = metrics.snapshot();
    let counted = counted.value(names::REQUESTS, &["POST", ROUTE, "200"]);
    assert_eq!(counted, Some(&Value::Counter(1)));
    assert_eq!(spans.counts().produced, 1);
    serving.drain().await;
}
