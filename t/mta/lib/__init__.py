# SPDX-License-Identifier: BSD-2-Clause
"""What the tests on real MTAs stand on: a world of their own, and the servers that live in it."""
