-- What the queries in peer/ need, for DuckDB; {data} is the folder.  Times stay epoch milliseconds.
CREATE VIEW person AS SELECT * FROM read_json('{data}/person.jsonl', format = 'newline_delimited', columns = {
	id: 'BIGINT', name: 'VARCHAR', email_address: 'VARCHAR', credit_card: 'VARCHAR', city: 'VARCHAR',
	state: 'VARCHAR', date_time: 'BIGINT', extra: 'VARCHAR'});
CREATE VIEW auction AS SELECT * FROM read_json('{data}/auction.jsonl', format = 'newline_delimited', columns = {
	id: 'BIGINT', item_name: 'VARCHAR', description: 'VARCHAR', initial_bid: 'BIGINT', reserve: 'BIGINT',
	date_time: 'BIGINT', expires: 'BIGINT', seller: 'BIGINT', category: 'BIGINT', extra: 'VARCHAR'});
CREATE VIEW bid AS SELECT * FROM read_json('{data}/bid.jsonl', format = 'newline_delimited', columns = {
	auction: 'BIGINT', bidder: 'BIGINT', price: 'BIGINT', channel: 'VARCHAR', url: 'VARCHAR',
	date_time: 'BIGINT', extra: 'VARCHAR'});
CREATE VIEW numbered_bid AS SELECT *, row_number() OVER () AS n FROM bid;
CREATE VIEW side_input AS SELECT * FROM read_csv('{data}/side_input.csv', header = true,
	columns = {key: 'BIGINT', value: 'VARCHAR'});
CREATE MACRO euros(price) AS 0.908::DECIMAL(3,3) * price::DECIMAL(19,0);
CREATE MACRO mean(total, number) AS
	((2000000 * total::HUGEINT + number) // (2 * number))::DECIMAL(38,0) * 0.000001::DECIMAL(7,6);
CREATE MACRO day_of(ms) AS strftime(make_timestamp(ms * 1000), '%Y-%m-%d');
CREATE MACRO minute_of(ms) AS strftime(make_timestamp(ms * 1000), '%H:%M');
CREATE MACRO hour_of(ms) AS hour(make_timestamp(ms * 1000));
CREATE MACRO channel_id_of(url) AS
	CASE WHEN regexp_matches(url, '(&|^)channel_id=([^&]*)')
		THEN regexp_extract(url, '(&|^)channel_id=([^&]*)', 2) END;
