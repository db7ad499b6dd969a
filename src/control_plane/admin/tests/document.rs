//! The OpenAPI document says what the handlers do.

use std::collections::BTreeSet;

use super::*;

async fn document(token: Option<&str>) -> Value {
    let api = Api::with(token, Arc::new(|_| Ok(done("done"))));
    let request = api.request(Method::GET, "/openapi.json").bearer_auth(token.unwrap_or("none"));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json().await.unwrap()
}

#[tokio::test]
async fn every_path_is_in_the_document() {
    let document = document(None).await;
    let paths: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    let expected: BTreeSet<String> = [
        "get /v1/services",
        "get /v1/services/{service}",
        "post /v1/services/{service}/releases",
        "post /v1/services/{service}/promote",
        "post /v1/services/{service}/abort",
        "post /v1/services/{service}/rollback",
        "post /v1/services/{service}/pause",
        "post /v1/services/{service}/resume",
        "put /v1/services/{service}/pin",
        "delete /v1/services/{service}/pin",
        "post /v1/services/{service}/judge/forget",
        "get /v1/services/{service}/history",
        "get /v1/services/{service}/audit",
        "get /v1/releases/{id}",
        "get /v1/releases/{id}/events",
        "get /v1/releases/{id}/explain",
        "get /v1/quarantine",
        "delete /v1/quarantine/{service}/{version}",
        "post /v1/reload",
        "get /metrics",
        "get /healthz",
        "get /readyz",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_bodies_are_closed() {
    let document = document(None).await;
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for body in ["DeployBody", "PromoteBody", "RollbackBody", "PinBody", "Nothing"] {
        assert_eq!(document["components"]["schemas"][body]["additionalProperties"], json!(false), "{body}");
    }
}

#[tokio::test]
async fn problems_and_headers_are_documented() {
    let document = document(None).await;
    let statuses = |path: &str, method: &str| -> Vec<String> {
        document["paths"][path][method]["responses"].as_object().unwrap().keys().cloned().collect()
    };
    let deploy = statuses("/v1/services/{service}/releases", "post");
    assert_eq!(deploy, ["200", "202", "400", "401", "403", "404", "409", "412", "413", "415", "422", "503"]);
    assert_eq!(statuses("/v1/services", "get"), ["200", "400", "401", "403", "503"]);
    assert_eq!(statuses("/healthz", "get"), ["200", "503"]);
    let deploy = &document["paths"]["/v1/services/{service}/releases"]["post"];
    assert_eq!(deploy["requestBody"]["required"], json!(false));
    let names: Vec<&str> =
        deploy["parameters"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["service", "Idempotency-Key", "x-greenlight-actor", "If-Match"]);
}

#[tokio::test]
async fn the_token_is_in_it_when_one_is_needed() {
    assert!(document(None).await["components"].get("securitySchemes").is_none());
    let document = document(Some("s3cret")).await;
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    assert_eq!(document["paths"]["/metrics"]["get"]["security"], json!([{"token": []}]));
    assert!(document["paths"]["/healthz"]["get"].get("security").is_none());
}
