-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
/*!40101 SET NAMES utf8mb4 */;

DROP TABLE IF EXISTS `xxl_job_group`;
INSERT INTO `xxl_job_group` VALUES (1,'order-executor','Orders',0,NULL,'2026-01-01 00:00:00');

DROP TABLE IF EXISTS `xxl_job_info`;
CREATE TABLE `xxl_job_info` (
  `id` int NOT NULL AUTO_INCREMENT,
  `job_group` int NOT NULL COMMENT 'the executor; a number',
  `job_desc` varchar(255) NOT NULL,
  `add_time` datetime DEFAULT NULL,
  `update_time` datetime DEFAULT NULL,
  `author` varchar(64) DEFAULT NULL,
  `alarm_email` varchar(255) DEFAULT NULL,
  `schedule_type` varchar(50) NOT NULL DEFAULT 'NONE',
  `schedule_conf` varchar(128) DEFAULT NULL,
  `misfire_strategy` varchar(50) NOT NULL DEFAULT 'DO_NOTHING',
  `executor_route_strategy` varchar(50) DEFAULT NULL,
  `executor_handler` varchar(255) DEFAULT NULL,
  `executor_param` varchar(512) DEFAULT NULL,
  `executor_block_strategy` varchar(50) DEFAULT NULL,
  `executor_timeout` int NOT NULL DEFAULT '0',
  `executor_fail_retry_count` int NOT NULL DEFAULT '0',
  `glue_type` varchar(50) NOT NULL,
  `glue_source` mediumtext,
  `glue_remark` varchar(128) DEFAULT NULL,
  `glue_updatetime` datetime DEFAULT NULL,
  `child_jobid` varchar(255) DEFAULT NULL,
  `trigger_status` tinyint NOT NULL DEFAULT '0',
  `trigger_last_time` bigint NOT NULL DEFAULT '0',
  `trigger_next_time` bigint NOT NULL DEFAULT '0',
  `tenant` varchar(64) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `xxl_job_info` VALUES (1,1,'订单对账','2026-01-01 00:00:00',NOW(),'li','a@example.com','CRON','0 30 2 * * ?','DO_NOTHING','FIRST','reconcile','day=\'yesterday\'\nmode=\"full\"','SERIAL_EXECUTION',600,3,'BEAN','','','2026-01-01 00:00:00','2,3,9,1',1,0,0,NULL),(2,1,'Sends it','2026-01-01 00:00:00','2026-01-01 00:00:00','王 五','','NONE','','DO_NOTHING','ROUND','send report','','DISCARD_LATER',0,0,'BEAN','','',NULL,'1',0,0,0,'acme');
INSERT INTO `xxl_job_info` VALUES (3,2,'Every minute','2026-01-01','2026-01-01','li','','FIX_RATE','60','FIRE_ONCE_NOW','SHARDING_BROADCAST','shards','5','COVER_EARLY',0,1,'BEAN','','',NULL,'4',1,0,0,NULL);
INSERT INTO `xxl_job_info` VALUES (4,1,'A script','2026-01-01','2026-01-01','li','','CRON','0 0 0 * * ? *','DO_NOTHING','RANDOM','','','SERIAL_EXECUTION',0,0,'GLUE_SHELL','echo ''hi''; rm -rf /','v1',NULL,'',1,0,0,NULL);
INSERT INTO `xxl_job_info` VALUES (5,1,'Stopped','2026-01-01','2026-01-01','li','','CRON','0 0 0 L * ?','DO_NOTHING','BUSYOVER','monthly','','DISCARD_LATER',0,0,'BEAN','','',NULL,'',0,0,0,NULL);
INSERT INTO `xxl_job_info` VALUES (6,1,'Over','2026-01-01','2026-01-01','li','','CRON','0 0 0 1 1 ? 2020','DO_NOTHING','LAST','over','','DISCARD_LATER',0,0,'BEAN','','',NULL,'',1,0,0,NULL);
INSERT INTO `xxl_job_info` VALUES (7,1,'Cut off';
INSERT INTO `xxl_job_info` VALUES (8,1);
INSERT INTO `xxl_job_log` VALUES (1,'xxl_job_info');
