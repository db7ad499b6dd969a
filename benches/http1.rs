//! Measures the cost of a request in the codec. A request head is parsed and written for the origin, and a
//! response head is parsed and written for the client. All buffers are warm, so nothing is allocated.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use greenlight::http1::{
    Answer, BodyReader, Forward, Framing, HeadLimits, HeadProgress, Method, Peer, RequestContext,
    RequestHead, ResponseHead, Scheme, parse_request, parse_response, write_request, write_response,
};

/// A request head as wrk sends it.
const WRK: &[u8] = b"GET / HTTP/1.1\r\nHost: backend.example.org:8080\r\n\r\n";

/// A request head as a browser sends it, with 15 fields.
const BROWSER: &[u8] = b"GET /assets/app.js?v=20261124 HTTP/1.1\r\n\
Host: backend.example.org\r\n\
Connection: keep-alive\r\n\
Cache-Control: max-age=0\r\n\
sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\n\
sec-ch-ua-mobile: ?0\r\n\
sec-ch-ua-platform: \"Linux\"\r\n\
Upgrade-Insecure-Requests: 1\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n\
Sec-Fetch-Site: same-origin\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-Dest: document\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Accept-Language: en-GB,en;q=0.9\r\n\
Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1\r\n\r\n";

/// A response as nginx sends it.
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\
Date: Tue, 24 Nov 2026 18:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 1024\r\n\
Connection: keep-alive\r\nETag: \"5f3c-400\"\r\nAccept-Ranges: bytes\r\n\r\n";

fn requests(criterion: &mut Criterion) {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let peer = Peer { address, scheme: Scheme::Http, port: 8080, trusted: false };
    let forward = Forward {
        peer: &peer,
        real_ip: address,
        fallback_host: b"backend.example.org",
        request_id: b"0123456789abcdef0123456789abcdef",
        upgrade: false,
    };
    let mut group = criterion.benchmark_group("request");
    for (name, raw) in [("wrk", WRK), ("browser", BROWSER)] {
        group.throughput(Throughput::Bytes(raw.len() as u64));
        let mut head = RequestHead::default();
        group.bench_function(format!("{name}/parse"), |bencher| {
            bencher.iter(|| parse_request(black_box(raw), &HeadLimits::REQUEST, &mut head).unwrap().unwrap());
        });
        let mut out = Vec::new();
        group.bench_function(format!("{name}/parse+forward"), |bencher| {
            bencher.iter(|| {
                out.clear();
                parse_request(black_box(raw), &HeadLimits::REQUEST, &mut head).unwrap().unwrap();
                write_request(&head, raw, &forward, &mut out);
                black_box(out.len())
            });
        });
    }
    group.finish();
}

fn responses(criterion: &mut Criterion) {
    let asked = RequestContext { method: Method::Get, upgrade: None };
    let request = {
        let mut head = RequestHead::default();
        parse_request(WRK, &HeadLimits::REQUEST, &mut head).unwrap().unwrap();
        head
    };
    let answer = Answer::to(&request, &[]);
    let (mut head, mut out) = (ResponseHead::default(), Vec::new());
    criterion.bench_function("response/parse+relay", |bencher| {
        bencher.iter(|| {
            out.clear();
            parse_response(black_box(RESPONSE), &asked, &HeadLimits::RESPONSE, &mut head).unwrap().unwrap();
            write_response(&head, RESPONSE, &answer, &mut out)
        });
    });
}

/// A head of 32 KiB that comes in single bytes. It is read as a worker reads it, into a value that other
/// connections use in between. `resumed` goes on where the last search ended, and `from_start` searches
/// the head from its first byte each time.
fn trickles(criterion: &mut Criterion) {
    let mut raw = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for n in 0.. {
        if raw.len() + 520 > 32 * 1024 {
            break;
        }
        raw.extend_from_slice(format!("x-{n:03}: {}\r\n", "v".repeat(500)).as_bytes());
    }
    raw.extend_from_slice(b"\r\n");
    let mut group = criterion.benchmark_group("request/trickle");
    group.throughput(Throughput::Bytes(raw.len() as u64));
    for (name, resumes) in [("from_start", false), ("resumed", true)] {
        let mut head = RequestHead::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut progress = HeadProgress::default();
                let mut read = None;
                for end in 1..=raw.len() {
                    head.resume(if resumes { progress } else { HeadProgress::default() });
                    read = parse_request(black_box(&raw[..end]), &HeadLimits::REQUEST, &mut head).unwrap();
                    progress = head.progress();
                }
                assert_eq!(read, Some(raw.len()));
            });
        });
    }
    group.finish();
}

/// A chunked body of 64 KiB in chunks of 1 KiB.
fn bodies(criterion: &mut Criterion) {
    let chunk = [b"400\r\n".as_slice(), &[b'x'; 1024], b"\r\n"].concat();
    let raw = [chunk.repeat(64), b"0\r\n\r\n".to_vec()].concat();
    let mut group = criterion.benchmark_group("body");
    group.throughput(Throughput::Bytes(raw.len() as u64));
    group.bench_function("chunked", |bencher| {
        bencher.iter(|| {
            let mut reader = BodyReader::new(Framing::Chunked, &HeadLimits::REQUEST);
            let (mut at, mut payload) = (0, 0);
            while !reader.is_done() {
                let piece = reader.read(black_box(&raw[at..])).unwrap();
                payload += piece.data.len();
                at += piece.consumed;
            }
            payload
        });
    });
    group.finish();
}

criterion_group!(benches, requests, trickles, responses, bodies);
criterion_main!(benches);
