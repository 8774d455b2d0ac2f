import { createHash } from "node:crypto";

/** Returns pseudorandom bytes, the same in every run. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash("sha256").update(`block ${index}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

const table = Array.from(
  { length: 24 },
  (_, index) =>
    `${index + 1},2026-0${(index % 9) + 1}-1${index % 10},${((index * 7919) % 100_000) / 100},${index * 37}`,
);

/** Texts of many kinds, for measuring the error of token estimates. */
export const texts = {
  "English prose": `The harbour was quiet when she came back, quieter than she remembered it. Three boats lay on the shingle with their paint coming off in long curls, and a fourth, which somebody had begun to repair, stood on trestles under a sheet of blue plastic. She walked along the wall to the place where the old crane had been. Nothing was left of it but four rusted bolts and a rectangle of newer stone. "You'll be looking for Tom," said a voice behind her, and she turned round, though she hadn't been looking for anybody; she had only wanted to see whether the water was still the same colour.`,
  "English chat": `hey, quick question — I've got a Postgres 15 box that keeps running out of connections around 9am. We don't see anything odd in pg_stat_activity, it's just lots of idle ones. Is it safe to lower idle_session_timeout to something like 5min, or will that break the pool? Also, what's the difference between that and idle_in_transaction_session_timeout? Thanks!!`,
  "English formal": `Notwithstanding the foregoing, the Licensee shall indemnify and hold harmless the Licensor against any liabilities, damages, costs and expenses (including reasonable attorneys' fees) arising out of or in connection with the Licensee's unauthorised reproduction, redistribution or sublicensing of the Documentation. This indemnification obligation survives termination or expiration of the Agreement.`,
  German: `Die Geschwindigkeitsbegrenzung auf der Umgehungsstraße wurde im vergangenen Herbst aufgehoben, obwohl sich mehrere Anwohnerinnen und Anwohner dagegen ausgesprochen hatten. Seither hat die Lärmbelästigung spürbar zugenommen; der Gemeinderat prüft deshalb, ob eine Schallschutzwand errichtet werden könnte. Über die Finanzierung müsste allerdings das Landesverkehrsministerium entscheiden.`,
  French: `Quand nous sommes arrivés au village, la nuit était déjà tombée et il n'y avait plus personne dans les rues. Seule la boulangerie restait éclairée : un jeune homme y préparait les pâtes du lendemain. Il nous a indiqué l'auberge, en précisant qu'elle fermait tôt en hiver, et qu'il valait mieux frapper fort à la porte de derrière.`,
  Spanish: `La biblioteca municipal ampliará su horario durante el período de exámenes, según anunció ayer la concejala de Educación. Los estudiantes podrán utilizar las salas hasta la medianoche de lunes a viernes. Además, se habilitarán cincuenta puestos nuevos con enchufes y conexión inalámbrica en la planta baja.`,
  Polish: `Wczoraj wieczorem nad całym wybrzeżem przeszła gwałtowna burza, która uszkodziła linie energetyczne i pozbawiła prądu kilkanaście tysięcy gospodarstw. Strażacy wyjeżdżali ponad dwieście razy, głównie do powalonych drzew i zalanych piwnic. Według synoptyków najbliższe dni mają być spokojniejsze.`,
  Russian: `В начале осени они переехали в небольшой дом на окраине города, откуда был виден весь залив. По утрам над водой стоял густой туман, и казалось, что за окнами ничего нет. Соседи рассказывали, что раньше здесь жил капитан дальнего плавания, который каждый вечер зажигал на крыше фонарь.`,
  Greek: `Το πρωί η αγορά γέμιζε φωνές και μυρωδιές από φρέσκο ψωμί, και οι ψαράδες έφερναν τα καλάθια τους κατευθείαν από τις βάρκες. Η γιαγιά μου διάλεγε πάντα τα μικρότερα ψάρια, γιατί έλεγε ότι είναι τα πιο νόστιμα.`,
  Arabic: `وصل القطار إلى المحطة متأخرا نصف ساعة بسبب الأمطار الغزيرة التي هطلت على المدينة منذ الصباح. كان المسافرون ينتظرون تحت السقف المعدني وهم يتبادلون الأحاديث عن الطقس وعن أسعار الخضروات في السوق القديم.`,
  Hebrew: `בשנה שעברה פתחה המשפחה בית קפה קטן ברחוב שליד הים, ומאז מגיעים אליו תושבי השכונה בכל בוקר. העוגות נאפות במקום לפי מתכונים ישנים, והקפה מוגש תמיד עם כוס מים קרים.`,
  Hindi: `पिछले सप्ताह हमारे गाँव में नया पुस्तकालय खुला, जहाँ बच्चे शाम को बैठकर कहानियाँ पढ़ते हैं। शिक्षकों ने अपने घरों से किताबें दान कीं और पंचायत ने कमरे की मरम्मत करवाई। अब हर रविवार को वहाँ चित्रकला की कक्षा भी लगती है।`,
  Thai: `เมื่อเช้านี้ฝนตกหนักจนถนนหน้าบ้านน้ำท่วม เด็ก ๆ จึงต้องหยุดเรียนอยู่ที่บ้าน แม่ทำขนมให้กินและเล่านิทานเรื่องกระต่ายกับเต่าให้ฟังอีกครั้งหนึ่ง`,
  Chinese: `去年冬天，我们在山里住了将近一个月。那里没有网络，也很少有车经过，每天早上只能听见溪水的声音。房东是一位七十多岁的老人，他会做一种用糯米和红枣蒸成的点心，总是趁热端给我们吃。临走的时候，他送了我们一小袋自己晒的茶叶，并且嘱咐说：“明年春天再来，那时候山上的杜鹃花都开了。”`,
  Japanese: `駅前の小さな本屋は、今月の終わりに閉店することになった。子どものころ、学校の帰りに立ち寄っては、店主のおじいさんに新しい漫画が入ったかどうかをたずねたものだ。インターネットで何でも買える時代になったけれど、紙のにおいがするあの店がなくなるのは、やはりさびしい。`,
  Korean: `지난 주말에 친구들과 함께 남쪽 바닷가로 여행을 다녀왔습니다. 날씨가 조금 흐렸지만 바람이 시원해서 걷기에 좋았고, 저녁에는 시장에서 갓 잡은 생선을 사다가 숙소에서 구워 먹었습니다. 다음에는 부모님도 모시고 가려고 합니다.`,
  Emoji: `Launch day 🚀🚀 finally!! 🎉🥳 Thanks to everyone 🙏🏽❤️ — the team 👩🏻‍💻👨🏿‍🔧🧑‍🎨 did an amazing job 💯🔥. See you at the party 🍕🍻🎶 tonight 😄👍 🇩🇪🇯🇵🇧🇷 ✅✅✅`,
  TypeScript: `export async function* readLines(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of source) {
    signal?.throwIfAborted();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\\r?\\n/);
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line.length > 0);
  }
  if (rest !== "") yield rest;
}
`,
  Python: `class RateLimiter:
    """Allows at most \`limit\` calls per \`period\` seconds."""

    def __init__(self, limit: int, period: float = 60.0) -> None:
        self._limit = limit
        self._period = period
        self._calls: deque[float] = deque()

    def allow(self, now: float | None = None) -> bool:
        now = time.monotonic() if now is None else now
        while self._calls and now - self._calls[0] > self._period:
            self._calls.popleft()
        if len(self._calls) >= self._limit:
            return False
        self._calls.append(now)
        return True
`,
  SQL: `SELECT c.customer_id, c.full_name, COUNT(o.id) AS order_count, SUM(oi.quantity * oi.unit_price) AS revenue
FROM customers AS c
LEFT JOIN orders AS o ON o.customer_id = c.customer_id AND o.created_at >= DATE '2026-01-01'
LEFT JOIN order_items AS oi ON oi.order_id = o.id
WHERE c.country_code IN ('DE', 'AT', 'CH')
GROUP BY c.customer_id, c.full_name
HAVING COUNT(o.id) > 3
ORDER BY revenue DESC NULLS LAST
LIMIT 50;
`,
  HTML: `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Opening hours</title>
    <link rel="stylesheet" href="/assets/main.4f2a91.css" />
  </head>
  <body class="page page--hours">
    <ul id="days">
      <li data-day="1"><span class="label">Monday</span> <time datetime="09:00">9 a.m.</time></li>
      <li data-day="2"><span class="label">Tuesday</span> <time datetime="10:30">10.30 a.m.</time></li>
    </ul>
    <script>document.querySelectorAll("li[data-day]").forEach((li) => li.addEventListener("click", toggle));</script>
  </body>
</html>
`,
  "JSON, indented": JSON.stringify(
    {
      invoice: { id: "INV-2026-00417", currency: "EUR", issuedAt: "2026-03-14T09:26:53Z", paid: false },
      customer: { name: "Lindgren & Sons", address: { street: "Hamngatan 12", city: "Malmö", postalCode: "211 22" } },
      lines: [
        { sku: "A-1001", description: "Galvanised hinge, 80 mm", quantity: 24, unitPrice: 3.75, taxRate: 0.25 },
        { sku: "B-2044", description: "Wood screw 4x40", quantity: 500, unitPrice: 0.04, taxRate: 0.25 },
      ],
      notes: null,
    },
    undefined,
    2,
  ),
  "JSON, compact": JSON.stringify({
    type: "object",
    properties: {
      location: { type: "string", description: "The city and state, e.g. San Francisco, CA" },
      unit: { type: "string", enum: ["celsius", "fahrenheit"] },
      days: { type: "integer", minimum: 1, maximum: 14 },
    },
    required: ["location"],
    additionalProperties: false,
  }),
  "Log lines": `2026-02-03T04:05:06.789Z INFO  http request_id=5f0c2b9e-8d1f-4c3a-9b7e-2f6a1d0c4e88 method=POST path=/v1/chat status=200 duration_ms=183
2026-02-03T04:05:07.012Z WARN  pool connections=98/100 waiting=12 oldest_wait_ms=4410
2026-02-03T04:05:07.655Z ERROR worker[3] panicked at 'index out of bounds: the len is 4 but the index is 4', src/queue.rs:212:17
`,
  Markdown: `## Installing

1. Download the archive and unpack it: \`tar -xzf tool-1.4.2.tar.gz\`
2. Run \`./configure --prefix=/usr/local && make -j8\`
3. **Check** the result with \`make test\`; see [Troubleshooting](#troubleshooting).

| Option | Default | Meaning |
|---|---|---|
| \`--jobs\` | 4 | How many files are read at once |
| \`--quiet\` | off | Prints only errors |
`,
  Numbers: table.join("\n"),
  Base64: noise(600).toString("base64"),
  Hexadecimal: noise(300).toString("hex"),
} as const satisfies Record<string, string>;
