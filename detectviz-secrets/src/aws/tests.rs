use super::{
    AwsConfig, AwsCredentials,
    state::{Said, Wanted, login_refused, refused},
    store::regional,
};
use detectviz_core::{
    config::check,
    secret::{SecretErrorKind, SecretRef},
};
use std::time::Duration;

const REGION: &str = "eu-west-1";
const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders/db-AbCdEf";

#[test]
fn a_reference_names_a_secret_by_name_or_arn_and_one_version() {
    let foreign = "aws:arn:aws:secretsmanager:us-east-1:123456789012:secret:orders/db-AbCdEf";
    let cases = [
        ("aws:orders/db", Ok(("orders/db", None, None))),
        (
            "aws:orders/db?stage=AWSPREVIOUS",
            Ok(("orders/db", Some("AWSPREVIOUS"), None)),
        ),
        (
            "aws:orders/db?version=v-1",
            Ok(("orders/db", None, Some("v-1"))),
        ),
        (&format!("aws:{ARN}"), Ok((ARN, None, None))),
        ("aws:a?stage=x&version=y", Err("not both")),
        ("aws:a?label=x", Err("stage, version")),
        (foreign, Err("the ARN is of us-east-1")),
        (
            "aws:arn:aws:ssm:eu-west-1:123456789012:parameter/a",
            Err("arn:aws:secretsmanager"),
        ),
    ];
    for (text, expected) in cases {
        let reference: SecretRef = text.parse().unwrap();
        let found = Wanted::parse(&reference, REGION);
        match (found, expected) {
            (Ok(found), Ok(want)) => assert_eq!((found.id, found.stage, found.version), want),
            (Err(err), Err(want)) => {
                assert_eq!(err.kind(), SecretErrorKind::Malformed, "{text}");
                assert!(err.to_string().contains(want), "{err}");
            }
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn every_partition_has_its_own_domain() {
    for (region, address) in [
        (
            "eu-west-1",
            "https://secretsmanager.eu-west-1.amazonaws.com",
        ),
        (
            "cn-north-1",
            "https://secretsmanager.cn-north-1.amazonaws.com.cn",
        ),
        (
            "us-gov-west-1",
            "https://secretsmanager.us-gov-west-1.amazonaws.com",
        ),
    ] {
        assert_eq!(regional(region).await.unwrap(), address);
    }
}

#[test]
fn refusals_are_told_apart_and_say_the_remedy() {
    use SecretErrorKind::{Denied, Malformed, NotFound, Unavailable};
    let cases = [
        (
            400,
            "ResourceNotFoundException",
            "can't find",
            NotFound,
            "create `orders/db` in eu-west-1",
            false,
        ),
        (
            400,
            "InvalidRequestException",
            "it was marked for deletion.",
            NotFound,
            "restore-secret --secret-id orders/db",
            false,
        ),
        (
            400,
            "InvalidRequestException",
            "a replica",
            Malformed,
            "a replica",
            false,
        ),
        (
            400,
            "InvalidParameterException",
            "bad name",
            Malformed,
            "bad name",
            false,
        ),
        (
            400,
            "AccessDeniedException",
            "User: x is not authorized",
            Denied,
            r#""Action": "secretsmanager:GetSecretValue", "Resource": "arn:aws:secretsmanager:eu-west-1:<account>:secret:orders/db-??????""#,
            false,
        ),
        (
            400,
            "AccessDeniedException",
            "Access to KMS is not allowed",
            Denied,
            "kms:Decrypt",
            false,
        ),
        (400, "DecryptionFailure", "", Denied, "kms:Decrypt", false),
        (
            400,
            "ThrottlingException",
            "Rate exceeded",
            Unavailable,
            "throttles",
            false,
        ),
        (429, "", "", Unavailable, "throttles", false),
        (
            500,
            "InternalServiceError",
            "",
            Unavailable,
            "500 InternalServiceError",
            false,
        ),
        (503, "", "", Unavailable, "503", false),
        (400, "ExpiredTokenException", "", Denied, "have ended", true),
        (
            403,
            "UnrecognizedClientException",
            "",
            Denied,
            "access key",
            true,
        ),
        (403, "InvalidSignatureException", "", Denied, "clock", true),
        (403, "", "", Unavailable, "in place of AWS", false),
        (
            400,
            "NewException",
            "some\nthing",
            Denied,
            "NewException: something",
            false,
        ),
    ];
    let wanted = Wanted {
        id: "orders/db",
        stage: None,
        version: None,
    };
    for (status, code, message, kind, remedy, stale) in cases {
        let refusal = refused(
            &wanted,
            REGION,
            Said {
                code,
                message,
                status,
            },
        );
        let said = refusal.failure.to_string();
        assert_eq!(
            (refusal.failure.kind, refusal.stale),
            (kind, stale),
            "{code} {said}"
        );
        assert!(said.contains(remedy), "{code}: {said}");
    }
    let stage = Wanted {
        stage: Some("AWSPREVIOUS"),
        ..wanted
    };
    let said = Said {
        code: "ResourceNotFoundException",
        message: "",
        status: 400,
    };
    let refusal = refused(&stage, REGION, said).failure.to_string();
    assert!(refusal.contains("labelled AWSPREVIOUS"), "{refusal}");
}

#[test]
fn refused_logins_are_told_apart_and_say_the_remedy() {
    use SecretErrorKind::{Denied, Unavailable};
    let cases = [
        (403, "AccessDenied", Denied, "sts:AssumeRoleWithWebIdentity"),
        (
            400,
            "InvalidIdentityToken",
            Denied,
            "identity provider in IAM",
        ),
        (400, "ExpiredTokenException", Denied, "the kubelet renews"),
        (
            400,
            "IDPCommunicationError",
            Unavailable,
            "discovery document",
        ),
        (500, "InternalFailure", Unavailable, "500 InternalFailure"),
    ];
    for (status, code, kind, remedy) in cases {
        let failure = login_refused(
            "role",
            Said {
                code,
                message: "",
                status,
            },
        );
        assert_eq!(failure.kind, kind, "{code}");
        assert!(failure.to_string().contains(remedy), "{failure}");
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_the_remedy() {
    let reference = |text: &str| text.parse::<SecretRef>().unwrap();
    let good = AwsConfig::default().enabled(true).region(REGION);
    let keys = AwsCredentials::static_keys(reference("env:A"), reference("vault:b"));
    let role = AwsCredentials::web_identity("orders");
    let agent = AwsCredentials::Instance {
        endpoint: "http://example.com".to_owned(),
    };
    let cases = [
        (AwsConfig::default(), None),
        (good.clone(), None),
        (good.clone().endpoint("http://127.0.0.1:1"), None),
        (good.clone().endpoint("https://vpce-1.example.com"), None),
        (good.clone().region(""), Some("region")),
        (good.clone().region("EU West"), Some("region")),
        (
            good.clone().endpoint("http://example.com"),
            Some("endpoint"),
        ),
        (
            good.clone().endpoint("https://user@example.com"),
            Some("endpoint"),
        ),
        (
            good.clone().credentials(keys),
            Some("credentials.secret_access_key"),
        ),
        (good.clone().credentials(role), Some("credentials.role_arn")),
        (
            good.clone().credentials(agent),
            Some("credentials.endpoint"),
        ),
        (good.clone().timeout(Duration::ZERO), Some("timeout")),
    ];
    for (config, key) in cases {
        match (check(&config), key) {
            (Ok(()), None) => {}
            (Err(problems), Some(key)) => assert!(problems.to_string().contains(key), "{problems}"),
            (other, _) => panic!("{config:?}: {other:?}"),
        }
    }
}
