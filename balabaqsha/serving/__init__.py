"""How the portal is served: one way for `make run`, the image of docker-compose.yml and the benchmarks."""
