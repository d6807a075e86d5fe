import { ServerResponse } from "node:http";

const { setHeader } = ServerResponse.prototype;
ServerResponse.prototype.setHeader = function (name, value) {
  return String(name).toLowerCase() === "service-worker-allowed" ? this : setHeader.call(this, name, value);
};
