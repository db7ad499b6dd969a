//! L3: the admin API (DESIGN.md section 7), `/metrics`, `/healthz`, `/readyz`.
