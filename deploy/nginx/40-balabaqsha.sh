#!/bin/sh
# In the container of nginx: balabaqsha.conf as it stands there, for an account that may open no port below 1024, and for
# as many web processes as there are.
set -eu
sed -e "s/bala\.example\.kz/$PORTAL_NAME/g" \
    -e '/listen \[::\]/d' \
    -e 's/listen 80;/listen 8080;/' \
    -e 's/listen 443 ssl/listen 8443 ssl/' \
    -e "s|/etc/ssl/$PORTAL_NAME.pem|/run/secrets/certificate|" \
    -e "s|/etc/ssl/$PORTAL_NAME.key|/run/secrets/certificate_key|" \
    -e 's|/var/log/nginx/access.log|/dev/stdout|' \
    -e 's|server 127.0.0.1:8000 |zone portal 256k; resolver 127.0.0.11 valid=5s; server web:8000 resolve |' \
    /etc/balabaqsha/balabaqsha.conf >/etc/nginx/conf.d/balabaqsha.conf
