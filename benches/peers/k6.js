// The k6 peer: one GET and one check per iteration.
import http from 'k6/http';
import { check, sleep } from 'k6';

const row = __ENV.ROW;
export const options = {
  vus: Number(__ENV.USERS), duration: `${__ENV.SECONDS}s`, insecureSkipTLSVerify: true, summaryTrendStats: ['avg', 'p(95)'],
};

let operation = 0;
export default function () {
  let answer;
  if (row === 'operations') {
    operation = (operation + 1) % 500;
    answer = http.get(`${__ENV.BASE_URL}/op/${operation}`, { tags: { name: `op-${operation}` } });
  } else {
    answer = http.get(__ENV.BASE_URL + (__ENV.URL_PATH || '/'));
  }
  check(answer, { ok: (r) => r.status === 200 });
  if (row === 'json') check(answer, { price: (r) => r.json('items.0.price') > 0 });
  if (row === 'memory') sleep(3600);
}
