from tests.own_leases import own_leases

__all__ = ["own_leases"]
