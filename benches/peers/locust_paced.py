"""The locust of benches/stall.py: users who each keep to PER_USER requests a second, by locust's own pacing."""

import os

from locust import FastHttpUser, constant_throughput, task


class Paced(FastHttpUser):
    wait_time = constant_throughput(float(os.environ["PER_USER"]))

    @task
    def get(self):
        self.client.get("/")
