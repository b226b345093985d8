"""The locust peer, on its fast client: one GET and the comparison of its status per task, no waiting between tasks."""

import os

import gevent
from locust import FastHttpUser, constant, task

ROW = os.environ.get("ROW", "get")


class Get(FastHttpUser):
    wait_time = constant(0)
    insecure = True
    operation = 0

    @task
    def get(self):
        if ROW == "operations":
            self.operation = (self.operation + 1) % 500
            answer = self.client.get(f"/op/{self.operation}", name=f"op-{self.operation}")
        else:
            answer = self.client.get(os.environ.get("URL_PATH", "/"))
        if answer.status_code != 200:
            raise ValueError(answer.status_code)
        if ROW == "json" and not answer.json()["items"][0]["price"] > 0:
            raise ValueError("price")
        if ROW == "memory":
            gevent.sleep(3600)
