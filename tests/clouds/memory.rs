//! How many copies of a secret are left in a process that has fetched it over TLS and dropped it. What detectviz owns is wiped; the
//! buffers of rustls, hyper and the AWS SDK are theirs. The guides state the numbers that are asserted here.
use detectviz_tests::{clouds::Api, foreign::TempDir};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write, stdin},
    process::{Child, ChildStdout, Command, Stdio},
};

/// Names what the child is told: the address, the file of the authority, and more.
const TOLD: &str = "DETECTVIZ_TEST_MEMORY_OF";

/// What a child says when its memory is to be looked at.
const LOOK: &str = "look";

fn canary() -> String {
    (0..48).map(|_| fastrand::char('a'..='z')).collect()
}

/// Runs the test `name` of this program in a process of its own, which fetches from `api`: how many copies of `sought` it has
/// while the secret is held, and when it is dropped.
fn copies(name: &str, api: &Api, more: &str, sought: &str) -> [usize; 2] {
    let dir = TempDir::new();
    dir.write("ca.pem", api.authority());
    let ca = dir.path().join("ca.pem");
    let mut child = Command::new(std::env::current_exe().expect("this program is a file"))
        .args(["--exact", name, "--nocapture"])
        .env(TOLD, format!("{} {} {more}", api.url(), ca.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut said = BufReader::new(child.stdout.take().expect("a pipe"));
    let found = [(); 2].map(|()| look(&mut child, &mut said, sought));
    assert!(child.wait().expect("it is ours").success());
    println!("{name}: {found:?}");
    found
}

/// Waits until the child says that it waits, looks, and lets it go on.
fn look(child: &mut Child, said: &mut BufReader<ChildStdout>, sought: &str) -> usize {
    let mut line = String::new();
    while line.trim_end() != LOOK {
        line.clear();
        assert!(said.read_line(&mut line).expect("text") > 0, "it ended");
    }
    let found = scan(child.id(), sought.as_bytes());
    let told = child.stdin.as_mut().expect("a pipe").write_all(b"\n");
    told.expect("it waits");
    found
}

/// How often `sought` stands in the writable memory of the process `id`.
fn scan(id: u32, sought: &[u8]) -> usize {
    let maps = File::open(format!("/proc/{id}/maps")).map(BufReader::new);
    let mut memory = File::open(format!("/proc/{id}/mem")).expect("a child of ours");
    let mut found = 0;
    for line in maps.expect("a child of ours").lines() {
        let line = line.expect("text");
        let (range, rights) = line.split_once(' ').expect("a range and rights");
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').expect("a range");
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).expect("an address"));
        let mut bytes = Vec::new();
        let read = memory.seek(SeekFrom::Start(start));
        // Some ranges of the kernel cannot be read.
        let _read = read.and_then(|_| (&mut memory).take(end - start).read_to_end(&mut bytes));
        let windows = bytes.windows(sought.len());
        found += windows.filter(|window| *window == sought).count();
    }
    found
}

/// What a child is told; nothing in a run of the whole suite, which has the parents.
#[expect(clippy::disallowed_methods, reason = "how a parent tells its child")]
fn told() -> Vec<String> {
    let told = std::env::var(TOLD).unwrap_or_default();
    told.split_whitespace().map(str::to_owned).collect()
}

/// Has the memory of this process looked at.
fn be_looked_at() {
    println!("\n{LOOK}");
    let mut line = String::new();
    stdin().read_line(&mut line).expect("the parent goes on");
}

#[cfg(feature = "aws")]
mod aws {
    use super::{be_looked_at, canary, copies, told};
    use crate::support::{env_and_file, fetch, reference};
    use detectviz_secrets::aws::{AwsConfig, AwsCredentials};
    use detectviz_tests::clouds::{Api, Reply};
    use serde_json::json;

    #[test]
    fn a_dropped_secret_leaves_only_what_the_sdk_and_tls_keep() {
        let canary = canary();
        let inner = json!({"user": "app", "password": canary}).to_string();
        let answer = json!({"Name": "a", "SecretString": inner, "VersionId": "v".repeat(32)});
        let api = Api::start_tls(move |_| Reply::json(200, &answer));
        let [held, left] = copies("memory::aws::in_a_child", &api, "", &canary);
        assert!(held > 0 && left <= 4, "{held} {left}");
    }

    #[tokio::test]
    async fn in_a_child() {
        let [url, ca] = &told()[..] else { return };
        // Nobody checks the keys.
        let keys = AwsCredentials::static_keys(reference("env:LOGIN"), reference("env:LOGIN"));
        let config = AwsConfig::default()
            .enabled(true)
            .region("eu-west-1")
            .endpoint(url)
            .ca_file(ca);
        let store = config
            .credentials(keys)
            .build(env_and_file())
            .expect("a store");
        let fetched = fetch(&store, "aws:a").await.expect("it is there");
        be_looked_at();
        drop((fetched, store));
        be_looked_at();
    }
}

#[cfg(feature = "gcp")]
mod gcp {
    use super::{be_looked_at, canary, copies, told};
    use crate::support::fetch;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use detectviz_secrets::gcp::{GcpConfig, GcpCredentials};
    use detectviz_tests::clouds::{Api, Reply};
    use serde_json::json;

    #[test]
    fn a_dropped_secret_leaves_only_what_tls_and_http_keep_in_base64() {
        let canary = canary();
        let data = STANDARD.encode(json!({"user": "app", "password": canary}).to_string());
        let middle = data[data.len() / 4..data.len() / 4 * 3].to_owned();
        let answer = json!({"name": "a/versions/1", "payload": {"data": data}});
        let api = Api::start_tls(move |_| Reply::json(200, &answer));
        let [held, left] = copies("memory::gcp::in_a_child", &api, "", &canary);
        assert!(held > 0 && left == 0, "{held} {left}");
        let [_, left] = copies("memory::gcp::in_a_child", &api, "", &middle);
        assert!(left <= 3, "{left}");
    }

    #[tokio::test]
    async fn in_a_child() {
        let [url, ca] = &told()[..] else { return };
        let config = GcpConfig::default()
            .enabled(true)
            .project("p")
            .endpoint(url)
            .ca_file(ca);
        let store = config
            .credentials(GcpCredentials::Anonymous)
            .build()
            .expect("a store");
        let fetched = fetch(&store, "gcp:a").await.expect("it is there");
        be_looked_at();
        drop((fetched, store));
        be_looked_at();
    }
}

#[cfg(feature = "azure")]
mod azure {
    use super::{be_looked_at, canary, copies, told};
    use crate::support::{env_and_file, fetch};
    use detectviz_secrets::azure::{AzureConfig, AzureCredentials};
    use detectviz_tests::clouds::{
        Api, Reply,
        azure::{RESOURCE, imds},
    };
    use serde_json::json;

    #[test]
    fn a_dropped_secret_leaves_only_what_tls_and_http_keep() {
        let canary = canary();
        let inner = json!({"user": "app", "password": canary}).to_string();
        let answer =
            json!({"attributes": {"enabled": true}, "id": "https://orders/a/1", "value": inner});
        let api = Api::start_tls(move |call| match call.header("authorization") {
            "" => Reply::new(401, "").header(
                "www-authenticate",
                format!(r#"Bearer resource="{RESOURCE}""#),
            ),
            _ => Reply::json(200, &answer),
        });
        let server = imds(None, "token");
        let [held, left] = copies("memory::azure::in_a_child", &api, server.url(), &canary);
        assert!(held > 0 && left <= 3, "{held} {left}");
    }

    #[tokio::test]
    async fn in_a_child() {
        let [url, ca, endpoint] = &told()[..] else {
            return;
        };
        let identity = AzureCredentials::ManagedIdentity {
            client_id: None,
            endpoint: endpoint.clone(),
        };
        let config = AzureConfig::default()
            .enabled(true)
            .vault_url(url)
            .resource(RESOURCE)
            .ca_file(ca);
        let store = config
            .credentials(identity)
            .build(env_and_file())
            .expect("a store");
        let fetched = fetch(&store, "azure:a").await.expect("it is there");
        be_looked_at();
        drop((fetched, store));
        be_looked_at();
    }
}
