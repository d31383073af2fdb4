#!/bin/sh
# After a kernel or an initial RAM disk was installed or removed.
exec /usr/lib/k3os-migrate/kernel try
