// Gets JSON of a schema. A response that is not such JSON fails with JSON_GENERATION_FAILED.

import { client, textOf, user } from "./connect.ts";

const schema = {
  type: "object",
  properties: { city: { type: "string" }, population: { type: "integer" } },
  required: ["city", "population"],
};
const { completion } = await client.completeChat({
  chat: {
    model: "echo/echo",
    messages: [user("Paris, as JSON")],
    outputFormat: { format: { case: "jsonSchema", value: { name: "city", schemaJson: JSON.stringify(schema) } } },
    // What echo/echo returns. Other models need no script.
    providerOptions: { echo: { text: '{"city": "Paris", "population": 2100000}' } },
  },
});
const { city, population } = JSON.parse(textOf(completion?.choices[0]?.message));
console.log(`${city} has ${population} inhabitants`);
