#include "templates.h"

namespace beckon::engine {
namespace {

// What every shop shares; the head and the event mapping differ.
constexpr std::string_view kHeadEn = R"(# beckon.toml: the shop in one file. Unknown keys are refused; every key not written here has a default.
[shop]
name = "My shop"
currency = "EUR"           # ISO 4217, of prices without one
zone = "Europe/Berlin"     # of times without an offset, and of customers whose zone is not known
country = "DE"
language = "en"            # of customers who named none
quiet_from = "21:00"       # no message between these local hours
quiet_until = "09:00"
# margin_share = 0.30      # where an item has no cost; the report lists it as an assumption until you state it
# regulated = "finance"    # or "medicine": no personal depth of an offer, no sensitive categories
)";

constexpr std::string_view kHeadZh = R"(# beckon.toml：一个文件描述整个店铺。未知的键会被拒绝；未写出的键都有默认值。
[shop]
name = "我的店铺"
currency = "CNY"           # 价格的币种（ISO 4217）
zone = "Asia/Shanghai"     # 没有时区的时间按此解释
country = "CN"
language = "zh"            # 未声明语言的顾客使用
quiet_from = "21:00"       # 此时段内不发送
quiet_until = "09:00"
# margin_share = 0.30      # 没有成本的商品按此毛利率估算，报告中会列为假设
)";

constexpr std::string_view kChannels = R"(
[channel.email]
transport = "file"         # writes outbox/email.jsonl; "webhook" posts to your sender (url, secret_env)
send_cost = "0.002"        # per message, in the shop's currency
per_day_max = 1
per_week_max = 3

# What is believed about promotions before there is data of your own (graded "assumed" in plan and report):
# [response.percent_off]
# click_probability = 0.03
# extra_share = 1.0        # purchases a message adds, as a share of those that would happen anyway
# extra_share_low = 0.0    # the range it is believed in; own held-out groups take over once they are surer
# extra_share_high = 2.0

# [groups]
# holdout_share = 0.05     # global holdout: never written to by anything, so that the shop's total can be measured; 0: none
# salt = "2026"            # a new one draws it anew
# random_share_first = 0.20

# Customers you bring along may be written to only with consent. State what they agreed to, and where it is kept:
# [[consent_import]]
# basis = "opt_in"
# source = "newsletter form, CRM export 2026-01"
# date = "2026-01-15"
# purposes = ["marketing", "personalisation", "measurement"]
# channels = ["email"]
)";

constexpr std::string_view kRun = R"(
[run]                      # what `beckon run` reads and plans, in this order
events = ["samples/events)";

constexpr std::string_view kCampaign = R"(# A campaign: to whom, what may be offered, with which money, and how its effect is measured.
[campaign]
id = "welcome"
name = "Something you may like"
period = "1"               # a new period may write to the same customers again
starts = "2026-01-01"
ends = "2027-12-31"
strategy = "value"         # or "threshold", "popular", "random"
channels = ["email"]
holdout_share = 0.10       # kept out, so that the effect can be measured
# random_share = 0.05      # a random choice, so that later plans can learn; 0.20 until the shop has randomised data of its own
attribution_days = 7

[audience]
active_within_days = 3650

[items]
per_customer = 10

[[offer]]
id = "recommend"
kind = "none"

[[offer]]
id = "ten"
kind = "percent_off"
percent = 10
code = "TEN"
quantity = 500
valid_days = 7

[[budget]]
id = "main"
amount = "200.00"
basis = "face"             # every issued offer counts in full; "expected" must be asked for
)";

constexpr std::string_view kSampleCsv = R"(customer,time,event,sku,quantity,price,order,coupon
c-1001,2026-01-05 10:12:00,view,tea-1,,,,
c-1001,2026-01-05 10:15:00,purchase,tea-1,2,4.50,o-1,
c-1002,2026-01-06 18:40:00,purchase,mug-7,1,9.90,o-2,
c-1001,2026-01-09 09:01:00,refund,tea-1,1,4.50,o-1,
)";
constexpr std::string_view kMapCsv = R"(
[events.csv]               # which column is what
user_id = "customer"
time = "time"
event = "event"
item = "sku"
quantity = "quantity"
price = "price"
order_id = "order"
coupon = "coupon"
)";

constexpr std::string_view kSampleSegment =
    R"({"type":"identify","userId":"c-1001","messageId":"m-0","timestamp":"2026-01-05T10:00:00Z","traits":{"email":"ann@example.test","language":"en","timezone":"Europe/Berlin","country":"DE"}}
{"type":"track","event":"Consent Granted","userId":"c-1001","messageId":"m-1","timestamp":"2026-01-05T10:01:00Z","properties":{"purposes":["marketing","personalisation","measurement"],"channels":["email"]}}
{"type":"track","event":"Product Viewed","userId":"c-1001","messageId":"m-2","timestamp":"2026-01-05T10:12:00Z","properties":{"product_id":"tea-1","price":4.5,"currency":"EUR"}}
{"type":"track","event":"Order Completed","userId":"c-1001","messageId":"m-3","timestamp":"2026-01-05T10:15:00Z","properties":{"order_id":"o-1","currency":"EUR","products":[{"product_id":"tea-1","quantity":2,"price":4.5},{"product_id":"mug-7","quantity":1,"price":9.9}]}}
)";

constexpr std::string_view kSampleGa4 =
    R"({"client_id":"77.88","user_id":"c-1001","timestamp_micros":"1767607920000000","events":[{"name":"view_item","params":{"currency":"EUR","items":[{"item_id":"tea-1","price":4.5}]}}]}
{"client_id":"77.88","user_id":"c-1001","timestamp_micros":"1767608100000000","events":[{"name":"purchase","params":{"currency":"EUR","transaction_id":"o-1","items":[{"item_id":"tea-1","price":4.5,"quantity":2}]}}]}
)";

constexpr std::string_view kSampleShopify =
    "Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Discount Code,Currency,Shipping Country\n"
    "#1001,ann@example.test,paid,2026-01-05 10:15:00 +0100,2,Green tea,4.50,tea-1,,EUR,DE\n"
    "#1001,ann@example.test,paid,2026-01-05 10:15:00 +0100,1,Mug,9.90,mug-7,,EUR,DE\n"
    "#1002,bob@example.test,paid,2026-01-06 18:40:00 +0100,1,Mug,9.90,mug-7,TEN,EUR,AT\n";
constexpr std::string_view kMapShopify = R"(
[events.csv]               # Shopify: Orders → Export → CSV; one line per line item
user_id = "Email"
time = "Created at"
item = "Lineitem sku"
quantity = "Lineitem quantity"
price = "Lineitem price"
currency = "Currency"
order_id = "Name"
coupon = "Discount Code"

[events.csv.traits]
email = "Email"
country = "Shipping Country"

[catalog.columns]          # Shopify: Products → Export → CSV
id = "Variant SKU"
title = "Title"
category = "Type"
brand = "Vendor"
price = "Variant Price"
cost = "Cost per item"
stock = "Variant Inventory Qty"
image_link = "Image Src"
)";
constexpr std::string_view kShopifyProducts =
    "Handle,Title,Vendor,Type,Variant SKU,Variant Price,Cost per item,Variant Inventory Qty,Image Src\n"
    "green-tea,Green tea,Teahouse,Drinks > Tea,tea-1,4.50,2.00,120,\n"
    "mug,Mug,Potter,Kitchen > Cups,mug-7,9.90,4.10,35,\n";

constexpr std::string_view kSampleWoo =
    "Order ID,Order Date,Customer Email,SKU,Quantity,Item Cost,Coupon Code,Country Code (Shipping)\n"
    "5001,2026-01-05 10:15:00,ann@example.test,tea-1,2,4.50,,DE\n"
    "5002,2026-01-06 18:40:00,bob@example.test,mug-7,1,9.90,TEN,AT\n";
constexpr std::string_view kMapWoo = R"T(
[events.csv]               # WooCommerce: an order export with one line per product
user_id = "Customer Email"
time = "Order Date"
item = "SKU"
quantity = "Quantity"
price = "Item Cost"
order_id = "Order ID"
coupon = "Coupon Code"

[events.csv.traits]
email = "Customer Email"
country = "Country Code (Shipping)"

[catalog.columns]          # WooCommerce: Products → Export
id = "SKU"
title = "Name"
category = "Categories"
price = "Regular price"
sale_price = "Sale price"
stock = "Stock"
image_link = "Images"
)T";
constexpr std::string_view kWooProducts =
    "SKU,Name,Categories,Regular price,Sale price,Stock,Images\n"
    "tea-1,Green tea,Drinks > Tea,4.50,,120,\n"
    "mug-7,Mug,Kitchen > Cups,9.90,8.90,35,\n";

constexpr std::string_view kSamplePos =
    "receipt;card;date;article;pieces;line_total\n"
    "88-0001;4711;2026-01-05 10:15;tea-1;2;9.00\n"
    "88-0002;;2026-01-05 10:21;mug-7;1;9.90\n"
    "S88-0001;4711;2026-01-06 11:00;tea-1;1;4.50\n";
constexpr std::string_view kMapPos = R"(
[events]
channel = "store"

[events.csv]               # the till's file of the night; lines without a loyalty card are rejected and counted
delimiter = ";"
user_id = "card"
time = "date"
item = "article"
quantity = "pieces"
price = "line_total"
price_is_line_total = true
order_id = "receipt"
cancel_prefix = "S"        # receipts that start with it take a purchase back
)";

constexpr std::string_view kSampleZh =
    "订单编号,会员号,付款时间,商品编码,数量,单价,优惠码\n"
    "T20260105001,m-1001,2026-01-05 10:15:00,tea-1,2,36.00,\n"
    "T20260106002,m-1002,2026-01-06 18:40:00,mug-7,1,79.00,LIJIAN\n";
constexpr std::string_view kMapZh = R"(
[events.csv]               # 订单导出：一行一个商品
user_id = "会员号"
time = "付款时间"
item = "商品编码"
quantity = "数量"
price = "单价"
order_id = "订单编号"
coupon = "优惠码"

[catalog.columns]          # 商品导出
id = "商品编码"
title = "商品名称"
category = "类目"
price = "价格"
cost = "成本"
stock = "库存"
)";
constexpr std::string_view kZhProducts =
    "商品编码,商品名称,类目,价格,成本,库存\n"
    "tea-1,龙井绿茶,饮品 > 茶,36.00,15.00,120\n"
    "mug-7,陶瓷杯,厨房 > 杯子,79.00,30.00,35\n";

constexpr std::string_view kProducts =
    "id,title,title_zh,category,brand,price,cost,stock\n"
    "tea-1,Green tea,绿茶,Drinks > Tea,Teahouse,4.50,2.00,120\n"
    "mug-7,Mug,马克杯,Kitchen > Cups,Potter,9.90,4.10,35\n";

ShopTemplate make(const char* name, std::string_view head, std::string_view mapping, const TemplateFile& events,
                  std::string_view products) {
  ShopTemplate out;
  out.name = name;
  const std::string_view extension = events.path.substr(events.path.rfind('.'));
  out.config = std::string(head) + std::string(kChannels) + std::string(mapping) + std::string(kRun) + std::string(extension) +
               "\"]\ncatalog = [\"samples/products.csv\"]\ncampaigns = [\"campaigns/welcome.toml\"]\n";
  out.files = {events, {"samples/products.csv", products}, {"campaigns/welcome.toml", kCampaign}};
  return out;
}

}  // namespace

const std::vector<ShopTemplate>& shop_templates() {
  static const std::vector<ShopTemplate> kTemplates{
      make("csv", kHeadEn, kMapCsv, {"samples/events.csv", kSampleCsv}, kProducts),
      make("segment", kHeadEn, "", {"samples/events.jsonl", kSampleSegment}, kProducts),
      make("ga4", kHeadEn, "", {"samples/events.jsonl", kSampleGa4}, kProducts),
      make("shopify", kHeadEn, kMapShopify, {"samples/events.csv", kSampleShopify}, kShopifyProducts),
      make("woocommerce", kHeadEn, kMapWoo, {"samples/events.csv", kSampleWoo}, kWooProducts),
      make("pos", kHeadEn, kMapPos, {"samples/events.csv", kSamplePos}, kProducts),
      make("zh-orders", kHeadZh, kMapZh, {"samples/events.csv", kSampleZh}, kZhProducts)};
  return kTemplates;
}

}  // namespace beckon::engine
